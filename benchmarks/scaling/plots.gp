# gnuplot -e "folder='DIR'; kinds='strong weak'" plots.gp: the plots of DIR/scaling_*.tsv as SVG and PNG.
set style line 1 linecolor rgb '#1f5f8b' linewidth 2 pointtype 7
set style line 2 linecolor rgb '#c05020' linewidth 2 pointtype 5
set style line 3 linecolor rgb '#888888' linewidth 1 dashtype 2
set grid ytics linecolor rgb '#dddddd' linetype 1
set border 3
set tics nomirror
colors = '#1f5f8b #6baed6 #41ab5d #c05020 #8c6bb1 #d4b106 #bbbbbb'  # of the shares, compute first
least(a, b) = a < b ? a : b
most(a, b) = a > b ? a : b

do for [format in "svg png"] {
  if (format eq 'svg') {
    set terminal svg size 900,420 font 'sans,13' background rgb 'white'
  } else {
    set terminal pngcairo size 900,420 font 'sans,11'
  }
  do for [kind in kinds] {
    data = sprintf('%s/scaling_%s.tsv', folder, kind)
    set output sprintf('%s/scaling_%s.%s', folder, kind, format)
    set autoscale
    stats data using 1 nooutput name 'ranks'
    stats data using 2 nooutput name 'whole'
    stats data using 3 nooutput name 'tiles'
    set logscale x 2
    set xlabel 'ranks'
    set xrange [ranks_min / 1.1 : ranks_max * 1.1]
    set multiplot layout 1,2
    set key inside top left noinvert
    set logscale y 2
    set yrange [least(ranks_min, least(whole_min, tiles_min)) / 1.1 : most(ranks_max, most(whole_max, tiles_max)) * 1.1]
    if (kind eq 'strong') {
      set title 'strong scaling: the same job'
    } else {
      set title 'weak scaling: sources in proportion to ranks'
    }
    set ylabel 'speed-up (rate of sources)'
    plot data using 1:6 with lines linestyle 3 title 'ideal', \
         data using 1:2 with linespoints linestyle 1 title 'whole run', \
         data using 1:3 with linespoints linestyle 2 title 'tiles'
    unset logscale y
    set title 'efficiency'
    set ylabel 'speed-up ÷ ranks'
    set key bottom left
    set yrange [0:1.1]
    plot data using 1:($6/$1) with lines linestyle 3 title 'ideal', \
         data using 1:4 with linespoints linestyle 1 title 'whole run', \
         data using 1:5 with linespoints linestyle 2 title 'tiles'
    unset multiplot
    unset logscale
  }
  set output sprintf('%s/scaling_shares.%s', folder, format)
  set title 'where the time of all ranks goes (* more ranks than cores)'
  set ylabel '% of ranks × wall time'
  unset xlabel
  set xrange [*:*]
  set yrange [0:100]
  set key outside right top reverse Left invert
  set style histogram rowstacked
  set style fill solid 0.9 noborder
  set boxwidth 0.7
  plot for [i=2:8] sprintf('%s/scaling_shares.tsv', folder) using i:xtic(1) with histograms linecolor rgb word(colors, i-1) title columnheader(i)
  unset key
  set boxwidth
}
