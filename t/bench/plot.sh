# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# plot.sh: the ratios of the table as a picture; `run` sources it.

# plot FILE: FILE.tsv, and FILE.svg of it: a bar a row, on a scale where twice and half are as long.
plot() {
	printf '%s\n' "${ratios[@]}" | awk -F'\t' '$3 > 0' >"$1.tsv"
	if ! type -P gnuplot >/dev/null; then
		note "no gnuplot here (gnuplot-nox): $1.svg is not drawn"
		return
	fi
	gnuplot <<-EOF
		set terminal svg size 900,$((80 + 18 * $(wc -l <"$1.tsv"))) font 'sans,11' background 'white'
		set output '$1.svg'
		set datafile separator '\t'
		set title 'ours, as a multiple of what it is beside'
		set logscale x 2
		set yrange [$(wc -l <"$1.tsv"):-1]
		set lmargin 52
		set grid x
		set arrow from 1,graph 0 to 1,graph 1 nohead linecolor 'black'
		unset key
		plot '$1.tsv' using (1):0:(1):3:(\$0-0.35):(\$0+0.35):ytic(stringcolumn(1).'  | '.stringcolumn(2)) \
			with boxxyerror fillstyle solid 0.6
	EOF
	note "drawn: $1.svg"
}
