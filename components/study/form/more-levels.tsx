'use client';
import { ENSEMBLES, type EnsembleKind } from '@mealtable/protocol/distillation-method';
import { INPUT_SIZE_CHOICES } from '@mealtable/protocol/run-config';
import { choiceWords } from '@mealtable/protocol/study-choices';
import { MIXINGS, type MixingConfig } from '@mealtable/protocol/training-recipe';
import { type KeyboardEvent, useState } from 'react';
import { Button } from '../../ui/button';
import { LabelledCheckbox } from '../../ui/checkbox';
import { NumberInput } from '../../ui/input';
import { Select } from '../../ui/select';
import { LevelsField } from './levels-field';
import { toNumber } from './typed-numbers';

type Add = (level: unknown) => boolean;

/** A number of the factor's own. */
function NumberAdder({ label, add, clear }: { label: string; add: Add; clear: () => void }) {
  const [typed, setTyped] = useState('');
  const addTyped = () => {
    if (typed.trim() !== '' && add(toNumber(typed))) setTyped('');
  };
  return (
    <>
      <NumberInput
        aria-label={label}
        placeholder="other"
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          clear();
        }}
        onKeyDown={onEnter(addTyped)}
        className="h-7 w-20"
      />
      <Button size="sm" onClick={addTyped} disabled={typed.trim() === ''}>
        Add
      </Button>
    </>
  );
}

/** Enter in a field of the form would create the study. */
const onEnter = (act: () => void) => (event: KeyboardEvent) => {
  if (event.key !== 'Enter') return;
  event.preventDefault();
  act();
};

const ENSEMBLE_NAMES: Record<EnsembleKind, string> = {
  'mean-probability': 'Mean of probabilities',
  'mean-logit': 'Mean of logits',
  'random-teacher': 'Random teacher',
};

export const EnsembleLevels = () => (
  <LevelsField
    name="ensemble"
    show={(kind) => ENSEMBLE_NAMES[kind]}
    offered={ENSEMBLES}
    hint="What several teachers say together: the mean of their probabilities (MEAL V2), the softmax of the mean of their logits, or one of them drawn for every batch (MEAL V1)."
  />
);

export const TeacherSizeLevels = () => (
  <LevelsField
    name="teacherInputSize"
    show={(size) => (size === null ? 'The student’s' : `${size} px`)}
    offered={[null, ...INPUT_SIZE_CHOICES]}
    hint="Teachers see the student’s crop at a size of their own, resized from the same part of the original image. MEAL V2 gives them the student’s very pixels."
  >
    {(add, clear) => <NumberAdder label="Another input size of the teachers" add={add} clear={clear} />}
  </LevelsField>
);

export const TemperatureLevels = () => (
  <LevelsField
    name="temperature"
    show={String}
    offered={[1, 2, 4]}
    hint="Logits are divided by it before the softmax, so that a higher one tells more of the unlikely classes. MEAL V2 has 1."
  >
    {(add, clear) => <NumberAdder label="Another temperature" add={add} clear={clear} />}
  </LevelsField>
);

export const HardLabelLevels = () => (
  <LevelsField
    name="hardLabelWeight"
    show={String}
    offered={[0, 0.1, 0.5]}
    hint="Share of the loss that the dataset’s own labels have beside the teachers’, from 0 to 1. MEAL V2 has 0."
  >
    {(add, clear) => <NumberAdder label="Another weight of the hard labels" add={add} clear={clear} />}
  </LevelsField>
);

const CUTMIX: MixingConfig = { kind: 'cutmix', alpha: 1, probability: 1 };
const MIXUP: MixingConfig = { kind: 'mixup', alpha: 0.2, probability: 1 };
const MIXING_NAMES = { cutmix: 'CutMix', mixup: 'Mixup' };

export const MixingLevels = () => (
  <LevelsField
    name="mixing"
    show={(mixing) => (mixing === null ? 'None' : choiceWords('mixing', mixing))}
    offered={[null, CUTMIX, MIXUP]}
    hint="CutMix puts a box of one image into another, Mixup blends the two; the teachers label what comes out. The share is drawn from Beta(α, α)."
  >
    {(add, clear) => <MixingAdder add={add} clear={clear} />}
  </LevelsField>
);

function MixingAdder({ add, clear }: { add: Add; clear: () => void }) {
  const [kind, setKind] = useState<MixingConfig['kind']>('cutmix');
  const [alpha, setAlpha] = useState('');
  const [probability, setProbability] = useState('');
  const addTyped = () => {
    if (alpha.trim() === '') return;
    if (!add({ kind, alpha: toNumber(alpha), probability: toNumber(probability) ?? 1 })) return;
    setAlpha('');
    setProbability('');
  };
  const number = (label: string, placeholder: string, value: string, set: (value: string) => void) => (
    <NumberInput
      aria-label={label}
      placeholder={placeholder}
      value={value}
      onChange={(event) => {
        set(event.target.value);
        clear();
      }}
      onKeyDown={onEnter(addTyped)}
      className="h-7 w-28"
    />
  );
  return (
    <>
      <Select
        aria-label="How images are mixed"
        value={kind}
        options={MIXINGS.map((value) => ({ value, label: MIXING_NAMES[value] }))}
        onChange={setKind}
        className="h-7 w-24"
      />
      {number('Alpha', 'α', alpha, setAlpha)}
      {number('Probability, 1 unless given', 'probability', probability, setProbability)}
      <Button size="sm" onClick={addTyped} disabled={alpha.trim() === ''}>
        Add
      </Button>
    </>
  );
}

export const AverageLevels = () => (
  <LevelsField
    name="ema"
    show={(ema) => (ema === null ? 'Off' : choiceWords('ema', ema).replace('EMA ', ''))}
    offered={[null, { decay: 0.999, warmup: true }, { decay: 0.9999, warmup: true }]}
    hint="Validates and saves a moving average of the weights (EMA) in place of the weights. The nearer the decay is to 1, the longer it remembers."
  >
    {(add, clear) => <AverageAdder add={add} clear={clear} />}
  </LevelsField>
);

function AverageAdder({ add, clear }: { add: Add; clear: () => void }) {
  const [warmup, setWarmup] = useState(true);
  return (
    <>
      <NumberAdder label="Another decay" add={(decay) => add({ decay, warmup })} clear={clear} />
      <LabelledCheckbox label="with warm-up" checked={warmup} onChange={setWarmup} />
    </>
  );
}
