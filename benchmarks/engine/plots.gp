# gnuplot -e "folder='DIR'" plots.gp: the plots of DIR/*.tsv as SVG and PNG.
set style line 1 linecolor rgb '#1f5f8b' linewidth 2 pointtype 7
set style line 2 linecolor rgb '#c05020' linewidth 2 pointtype 5
set grid ytics linecolor rgb '#dddddd' linetype 1
set border 3
set tics nomirror
models(file) = int(system(sprintf("grep -c '^\"' %s", file)))

do for [format in "svg png"] {
  if (format eq 'svg') {
    set terminal svg size 900,420 font 'sans,13' background rgb 'white'
  } else {
    set terminal pngcairo size 900,420 font 'sans,11'
  }
  do for [axis in "length sources"] {
    data = sprintf('%s/growth_%s.tsv', folder, axis)
    set output sprintf('%s/growth_%s.%s', folder, axis, format)
    set logscale x 2
    set logscale y 10
    set xlabel (axis eq 'length') ? 'genes of the panel, L' : 'sources'
    set key top left
    set multiplot layout 1,2
    set title 'time per source (8 grid values, vvp+gdt)'
    set ylabel 'seconds'
    set format y '%g'
    set yrange [*:*]
    plot for [i=0:models(data)-1] data index i using 1:2 with linespoints linestyle i+1 title columnheader(1)
    set title 'peak memory of the process'
    set ylabel 'MiB'
    unset logscale y
    set yrange [0:*]
    plot for [i=0:models(data)-1] data index i using 1:3 with linespoints linestyle i+1 title columnheader(1)
    unset multiplot
    unset logscale
    unset format
  }
  set output sprintf('%s/shares.%s', folder, format)
  set title 'necessary work per second, as a share of the float32 matrix products'
  set ylabel 'share'
  unset xlabel
  set yrange [0:1<*]
  set bmargin 5
  unset key
  set style fill solid 0.8
  set boxwidth 0.6
  plot sprintf('%s/shares.tsv', folder) using 0:2:xtic(1) with boxes linestyle 1, \
       '' using 0:2:(sprintf('%.2f', $2)) with labels offset 0,0.7
}
