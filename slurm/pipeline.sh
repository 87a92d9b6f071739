#!/usr/bin/env bash
# Submits a whole analysis: pretrain, probe, train + evaluate, infer. Each starts once the one before has succeeded; if that
# fails, the rest is cancelled. Submit the same again to go on: what is complete is not repeated.
#   slurm/pipeline.sh FOLDER
# FOLDER holds the options of each step, pretrain.ini, probe.ini, train.ini, evaluate.ini and infer.ini (slurm/example shows
# them); a step without file is left out. The file resources.txt, if there is one, has lines such as
#   probe --ntasks=64 --time=8:00:00
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:?"usage: slurm/pipeline.sh FOLDER"}

resources_of() {
  if [[ -f $folder/resources.txt ]]; then sed --quiet "s/^\s*$1\s\+//p" "$folder/resources.txt"; fi
}

previous=''
for step in pretrain probe train infer; do
  if [[ ! -f $folder/$step.ini ]]; then continue; fi
  options=(--job "$folder/$step.ini")
  if [[ $step == train && -f $folder/evaluate.ini ]]; then options+=(-- --job "$folder/evaluate.ini"); fi
  read -r -a resources <<< "$(resources_of "$step")"
  if [[ -n $previous ]]; then resources+=("--dependency=afterok:$previous" --kill-on-invalid-dep=yes); fi
  previous=$("$here/submit.sh" "$step" --parsable "${resources[@]}" -- "${options[@]}")
  # Behind a semicolon comes the name of the cluster, where there are several.
  previous=${previous%%;*}
  echo "$step: job $previous"
done
if [[ -z $previous ]]; then
  echo "$folder has none of pretrain.ini, probe.ini, train.ini and infer.ini" >&2
  exit 2
fi
