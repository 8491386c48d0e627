#!/bin/sh
# Every figure of method diffposetalk, from one network. What was measured before is not measured
# again by `kinevox evaluate`; the others start over. Takes some hours on two cores, most of them for
# the samplers with all steps; stop after any line and run the rest later.
#
#     benchmarks/diffposetalk.sh diffposetalk:RUN
#
# The performers corpus must be made, a run `regressor` be trained, and KINEVOX_SHARED be set.
set -e
method=${1:?Usage: benchmarks/diffposetalk.sh METHOD}
case $method in *@*) joint=, ;; *) joint=@ ;; esac
out=docs/results

# Lips, dynamics, beats, diversity and seams on unseen performers, against baselines and teacher.
kinevox evaluate --corpus performers --split test --seeds 5 --limit 60 --workers 2 \
    --methods "$method,${method}${joint}style=nobody,articulate,articulate:neutral,regressor:regressor,teacher,mean-pose,shuffled-audio:$method" \
    --out $out/diffposetalk.md --out $out/diffposetalk.json --out out/diffposetalk.html

# Styles read back: factors, and the right one of 64 performers.
python benchmarks/style_control.py --methods "$method,teacher" --performers 64 --reader "$method" \
    -o $out/diffposetalk_style.md

# Borders between windows, in longer recordings.
python benchmarks/seams.py --method "$method" -o $out/diffposetalk_seams.md

# Unseen real speakers: p, b, m and pauses; tracked lips of a person.
python benchmarks/lip_closure.py --method "$method" -o $out/diffposetalk_closure.md
python benchmarks/lip_tracking.py --method "$method" -o $out/diffposetalk_tracking.md

# Speed, memory, loading; an hour; what all steps would cost.
kinevox bench --lengths 4 60 --threads 1 2 --methods "$method" --frames 0 \
    --out $out/bench_diffposetalk.md --out $out/bench_diffposetalk.json
kinevox bench --lengths 3600 --threads 2 --methods "$method" --frames 0 --repeats 1 \
    --out $out/bench_diffposetalk_hour.md
kinevox bench --lengths 10 --repeats 1 \
    --compare "method=$method" "method=${method}${joint}sampler=ancestral" \
    --out $out/bench_diffposetalk_steps.md

# Quality against steps.
python benchmarks/sampling.py "$method" -o $out/sampling.md
