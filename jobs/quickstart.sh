#!/usr/bin/env bash
# The whole path on simulated data: installs what is missing, builds, then simulate → prepare → pretrain → probe →
# train → evaluate on genes and on data sets that the translator has never seen. Repeated, it skips what is complete.
#   REGULUS_SEED=2 bash jobs/quickstart.sh   the same with another network, other cells and other weights
#   bash jobs/quickstart.sh          results in runs/quickstart; parameters in jobs/quickstart/*.ini
set -euo pipefail
# shellcheck source=jobs/common.sh
source "$(dirname "$0")/common.sh"

out=runs/quickstart${REGULUS_SEED:+_seed$REGULUS_SEED}
settings=jobs/quickstart
data=$out/data
seed=${REGULUS_SEED:-1}
datasets=(1 2 3)      # the translator is trained on the first; the others are the unseen data sets
probes=(virtual cells) # how the genes other than the probed one are set: jobs/quickstart/probe_*.ini

build_regulus

step "Simulating ${#datasets[@]} data sets with known networks" $data \
  simulate --job $settings/simulate.ini --seed "$seed"

expression=()
for d in "${datasets[@]}"; do
  step "Normalising the counts of data set $d" "$out/prepared/dataset_$d.h5ad" \
    prepare --job $settings/prepare.ini --input "$data/dataset_$d.h5ad"
  expression+=("$out/prepared/dataset_$d.h5ad")
done
step "Pretraining the backbone on all cells, without the networks" $out/model \
  pretrain --job $settings/pretrain.ini --seed "$seed" --resume --expression "${expression[@]}"

for p in "${probes[@]}"; do
  for d in "${datasets[@]}"; do
    step "Probing the frozen backbone: data set $d, background $p" "$out/$p/features_$d.h5" \
      probe --job "$settings/probe_$p.ini" --resume --seed "$seed" --model $out/model \
      --expression "$out/prepared/dataset_$d.h5ad" --sources "$data/dataset_${d}_tfs.txt"
  done

  # Unseen genes: half of the genes of the first data set are kept out of training.
  first=${datasets[0]}
  learn=(train --job $settings/train.ini --seed "$seed" --split-seed "$seed" --features "$out/$p/features_$first.h5"
    --network "$data/dataset_${first}_network.csv")
  step "Training a translator on half of the genes of data set $first, background $p" \
    "$out/$p/translator_genes.h5" "${learn[@]}" --holdout-genes 0.5 --epochs 160
  step "Training a translator on data set $first, background $p" "$out/$p/translator.h5" "${learn[@]}" --epochs 40

  for d in "${datasets[@]}"; do
    if [[ $d == "$first" ]]; then
      setting=unseen-genes translator=$out/$p/translator_genes.h5
    else
      setting=unseen-datasets translator=$out/$p/translator.h5
    fi
    step "Evaluating on data set $d ($setting), background $p" "$out/$p/evaluation_$d" \
      evaluate --job $settings/evaluate.ini --setting $setting --write-edges \
      --translator "$translator" --features "$out/$p/features_$d.h5" \
      --network "$data/dataset_${d}_network.csv" --train-network "$data/dataset_${first}_network.csv" \
      --expression "$out/prepared/dataset_$d.h5ad"
  done
done

say "Result (average precision of TF-gene edges that the translator has never seen)"
for p in "${probes[@]}"; do
  "$program" inspect --log-level error "$out/$p"/evaluation_*/metrics.json
done
