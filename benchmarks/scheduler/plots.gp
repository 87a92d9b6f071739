# gnuplot -e "folder='DIR'" plots.gp: the plots of DIR/efficiency_*.tsv as SVG and PNG.
set grid ytics linecolor rgb '#dddddd' linetype 1
set border 3
set tics nomirror
set logscale x 2
set xlabel 'ranks'
set ylabel 'efficiency'
set yrange [0.5:1.02]
set key bottom left
blocks(file) = int(system(sprintf("grep -c '^\"' %s", file)))
do for [format in "svg png"] {
  do for [kind in "weak strong"] {
    height = kind eq 'weak' ? 420 : 620
    if (format eq 'svg') {
      set terminal svg size 760,height font 'sans,13' background rgb 'white'
    } else {
      set terminal pngcairo size 760,height font 'sans,11'
    }
    data = sprintf('%s/efficiency_%s.tsv', folder, kind)
    set output sprintf('%s/efficiency_%s.%s', folder, kind, format)
    set title kind eq 'weak' ? 'weak: sources grow with the ranks, all × all on 4,096' : 'strong: the job stays'
    # Models, the innermost of the jobs' properties, have colours; the others kinds of lines and points.
    plot for [i=0:blocks(data)-1] data index i using 1:2 with linespoints linewidth 2 linecolor i%3+1 \
      dashtype i/3+1 pointtype 4+i/3 title columnheader(1)
  }
}
