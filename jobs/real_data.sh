#!/usr/bin/env bash
# The path on real data: a backbone pretrained on published single-cell data sets, a translator trained on human
# embryonic stem cells (hESC x STRING), evaluated on mouse dendritic cells (mDC) x three networks.
#   bash jobs/real_data.sh [DATA]     results in runs/real_data; parameters in jobs/real_data/*.ini
# DATA holds beeline/ and corpus/ (default: $REGULUS_DATA, else ../shared/data beside the project).
set -euo pipefail
caller=$PWD
# shellcheck source=jobs/common.sh
source "$(dirname "$0")/common.sh"

source_data=${1:-${REGULUS_DATA:-}}
if [[ -z $source_data ]]; then
  source_data=../shared/data
elif [[ $source_data != /* ]]; then
  source_data=$caller/$source_data
fi
for needed in beeline/mDC/expression_TFs500.csv.gz beeline/hESC/expression_partial.h5ad corpus; do
  if [[ ! -e $source_data/$needed ]]; then
    echo "real_data.sh: $source_data/$needed not found: name the data folder, bash jobs/real_data.sh DATA" >&2
    exit 3
  fi
done

out=runs/real_data
settings=jobs/real_data
beeline=$source_data/beeline
corpus=$source_data/corpus
# Mouse symbols are upper-cased, so that a gene and its ortholog share one token.
human=(pbmc4k_10x pbmc_kang2018 pbmc1k_10x_v2 pbmc1k_10x_v3 pbmc5prime_10x pbmc_hao2021_ucell celllines_mixology
  cp007_quinn2021 esc_chen pbmc_zheng_demo scgeatoolbox_example pbmc_symphony)
mouse=(hpc_tusi2018 paul2015 bonemarrow_han2018 esc_semrau)

build_regulus

prepared=()
prepare() { # NAME INPUT [OPTION...]
  local file=$out/data/$1.h5ad
  step "Preparing $1" "$file" prepare --job $settings/prepare.ini --input "${@:2}"
  prepared+=("$file")
}
for name in "${human[@]}"; do prepare "human_$name" "$corpus/human_$name.h5ad"; done
for name in "${mouse[@]}"; do prepare "mouse_$name" "$corpus/mouse_$name.h5ad" --upper-case; done
prepare mDC "$beeline/mDC/expression_TFs500.csv.gz"
prepare hESC "$beeline/hESC/expression_partial.h5ad"

step "Pretraining the backbone on ${#prepared[@]} data sets" $out/model \
  pretrain --job $settings/pretrain.ini --resume --expression "${prepared[@]}"

# Twice: the probes, and the control that sees only the gene embeddings.
for kind in probe probe_emb; do
  features=$out/$kind
  probe() { # DATASET TF_LIST
    step "Probing $1 ($kind)" "$features/$1.h5" \
      probe --job $settings/$kind.ini --resume --model $out/model --expression "$out/data/$1.h5ad" --sources "$2"
  }
  probe hESC "$beeline/hESC/tfs_partial.txt"
  probe mDC "$beeline/mDC/tfs_TFs500.txt"

  step "Training the translator on hESC x STRING ($kind)" "$features/translator.h5" \
    train --job $settings/train.ini --features "$features/hESC.h5" --network "$beeline/hESC/STRING_partial.csv"

  step "Evaluating on mDC, genes of the training excluded ($kind)" "$features/evaluation_mDC" \
    evaluate --job $settings/evaluate.ini --translator "$features/translator.h5" --features "$features/mDC.h5" \
    --network "$beeline"/mDC/{STRING,NonSpecific,CellTypeSpecific}_TFs500.csv \
    --train-network "$beeline/hESC/STRING_partial.csv" --expression $out/data/mDC.h5ad
done

# And what needs no training: attention, perturbation and gradients as scores of their own.
step "Probing mDC for scores without a translator" $out/origin/mDC.h5 \
  probe --job $settings/probe_origin.ini --resume --model $out/model --expression $out/data/mDC.h5ad --sources "$beeline/mDC/tfs_TFs500.txt"
step "Evaluating them on mDC, all genes" $out/origin/evaluation_mDC \
  evaluate --job $settings/evaluate_origin.ini --features $out/origin/mDC.h5 \
  --network "$beeline"/mDC/{STRING,NonSpecific,CellTypeSpecific}_TFs500.csv --expression $out/data/mDC.h5ad

say "Result"
"$program" inspect --log-level error $out/{probe,probe_emb,origin}/evaluation_mDC/metrics.json
