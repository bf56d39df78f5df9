#!/usr/bin/env bash
# Draws validation (else training) accuracy by epoch of several runs as an SVG picture.
#
#   scripts/plot_accuracy.sh OUT.svg TITLE=RUN...     RUN has a metrics.csv; needs gnuplot-nox
set -euo pipefail

(($# >= 2)) || {
  echo "usage: scripts/plot_accuracy.sh OUT.svg TITLE=RUN..." >&2
  exit 2
}
out=$1
shift
plots=()
for argument in "$@"; do
  title=${argument%%=*}
  file=${argument#*=}/metrics.csv
  column=validation_accuracy
  head -n 1 "$file" | tr ',' '\n' | grep -qx "$column" || column=train_accuracy
  plots+=("'$file' using (column('epoch')):(100 * column('$column')) with linespoints pt 7 ps 0.4 lw 2 title '$title'")
done
joined=$(printf ', %s' "${plots[@]}")
gnuplot <<EOF_PLOT
set terminal svg size 760,420 enhanced font 'sans-serif,13' background '#ffffff'
set output '$out'
set datafile separator ','
set datafile columnheaders
set xlabel 'epoch'
set ylabel 'accuracy, %'
set yrange [80:100]
set grid ytics lc rgb '#dddddd'
set key bottom right
set border 3
set tics nomirror
set colorsequence podo
plot ${joined:2}
EOF_PLOT
