#!/bin/sh
# Stands where the agent stands in a job: does what its --one-run asks for, and writes down what happens to it.
while [ "$1" != --one-run ]; do
  [ "$1" = --token-file ] && read -r secret <"$2"
  [ "$1" = --dir ] && state=$2
  shift
done
mkdir -p "$state"
say() { echo "$1" >>"$state/../said"; }
say "started ${SLURM_RESTART_COUNT:-0} ${#secret} ${CUDA_VISIBLE_DEVICES:-none} ${SBATCH_PARTITION:-clean}"
trap 'say term; exit 0' TERM
trap 'say usr2; exit 75' USR2
case $2 in
  exit-*) exit "${2#exit-}" ;;
  kill) kill -9 $$ ;;
esac
while :; do sleep 0.1; done
