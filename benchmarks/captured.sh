#!/bin/sh
# Do captured people help? A network of diffposetalk goes on for 300 steps, alone and with GRID's
# talkers mixed in, and is measured on talkers that it never saw. About 40 minutes on two cores.
#
#     benchmarks/captured.sh RUN STYLE_RUN CORPUS
#
# KINEVOX_SHARED must be set; RUN is what to go on from, CORPUS what it was trained on.
set -e
run=${1:?Usage: benchmarks/captured.sh RUN STYLE_RUN CORPUS}
style=${2:?Which run of diffposetalk-style?}
corpus=${3:?Which corpus?}
made=out/captured
results=docs/results
mkdir -p $made

# Two corpora of the same clips: one learns from all but talker 1, the other from talker 1 alone.
for learned in others s1; do
    [ $learned = s1 ] && first=train rest=test || { first=test; rest=train; }
    awk -F, -v OFS=, -v first=$first -v rest=$rest \
        'NR > 1 { $3 = ($2 == "s1") ? first : rest } 1' \
        benchmarks/reality_speakers.csv > $made/$learned.csv
    kinevox corpus make video --source "$KINEVOX_SHARED/video" --speakers $made/$learned.csv \
        -o $made/grid_$learned
done

train() {
    kinevox train diffposetalk --corpus "$corpus" --network.from-run "$run" \
        --network.style-run "$style" --bf16 --steps 300 --learning-rate 3e-4 --warmup 30 \
        --cooldown 0.5 --average 1000 --validate-every 300 "$@"
}
train --out $made/mixed_none
train --out $made/mixed_others --mix $made/grid_others --mix-every 8
train --out $made/mixed_s1 --mix $made/grid_s1 --mix-every 8

method() { echo "diffposetalk:$made/mixed_$1@bf16=yes"; }
for learned in others s1; do
    kinevox evaluate --corpus $made/grid_$learned --split test --seeds 3 --workers 2 \
        --methods "$(method none),$(method $learned)" -o $results/captured_$learned.md
done
for learned in none others; do
    python benchmarks/lip_tracking.py --method "$(method $learned)" --without-text --every 4 \
        -o $results/captured_lips_$learned.md
done
