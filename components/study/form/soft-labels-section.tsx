'use client';
import { Field, FieldError } from '../../ui/field';
import { Input, NumberInput } from '../../ui/input';
import { Panel } from '../../ui/panel';
import { Segmented } from '../../ui/segmented';
import { Select } from '../../ui/select';
import { needsOfDraft } from './draft-to-design';
import { useStudyForm } from './form-context';
import { problemAt } from './problems';
import { isLogitsMixed, type KeptLogits, type LabelMode, type SoftLabelsDraft } from './soft-labels-draft';
import { toNumber } from './typed-numbers';

const MODES: readonly { value: LabelMode; label: string; says: string }[] = [
  { value: 'online', label: 'Online', says: 'Every run asks its teachers in every step, as MEAL V2 does.' },
  {
    value: 'cached',
    label: 'Cached',
    says: 'What teachers say of a crop is kept on the host: the first run to need a label computes it, the others read it.',
  },
  {
    value: 'prefill',
    label: 'Prefilled',
    says: 'Runs of their own compute all labels first, on any host; students wait for them, ask no teacher, and fit on smaller hosts.',
  },
];
const KEPT = [
  { value: 'full', label: 'All' },
  { value: '10', label: '10 most probable' },
  { value: '5', label: '5 most probable' },
] as const;
const LOGITS: readonly { value: KeptLogits; label: string }[] = [
  { value: 'shared', label: 'In all runs, if any needs them' },
  { value: 'own', label: 'In runs that need them' },
  { value: 'always', label: 'Always' },
  { value: 'never', label: 'Never' },
];
const PATH = 'softLabels';

/** Where the students' soft labels come from: of every student alike. */
export function SoftLabelsSection() {
  const { draft, update, shown, existing } = useStudyForm();
  const { softLabels } = draft;
  const change = (part: Partial<SoftLabelsDraft>) => update({ softLabels: { ...softLabels, ...part } });
  const choose = (mode: LabelMode) =>
    // As many views as epochs train on what online runs train on: no crop comes twice.
    change({ mode, viewsPerImage: softLabels.viewsPerImage === '' ? draft.epochs : softLabels.viewsPerImage });
  return (
    <Panel title="Soft labels" hint="The same source for every student.">
      <div data-path={PATH}>
        <Segmented
          label="Where soft labels come from"
          value={softLabels.mode}
          disabled={existing !== null}
          onChange={choose}
          options={MODES}
        />
        <p className="mt-1.5 text-ink-3 text-xs">{MODES.find(({ value }) => value === softLabels.mode)?.says}</p>
        <FieldError message={problemAt(shown, PATH)} />
      </div>
      {softLabels.mode !== 'online' && <KeptLabelFields change={change} />}
    </Panel>
  );
}

/** How labels are kept, and which. */
function KeptLabelFields({ change }: { change: (part: Partial<SoftLabelsDraft>) => void }) {
  const { draft, shown, existing } = useStudyForm();
  const { softLabels } = draft;
  const disabled = existing !== null;
  // There, all students that have a teacher in common read one set.
  const isPrefilled = softLabels.mode === 'prefill';
  const errorAt = (field: keyof SoftLabelsDraft) => problemAt(shown, `${PATH}.${field}`, true);
  return (
    <div className="mt-4 grid items-start gap-4 sm:grid-cols-2">
      <Field
        label="Views per image"
        path={`${PATH}.viewsPerImage`}
        error={errorAt('viewsPerImage')}
        hint={explainViews(toNumber(softLabels.viewsPerImage), toNumber(draft.epochs))}
      >
        {(control) => (
          <NumberInput
            {...control}
            disabled={disabled}
            value={softLabels.viewsPerImage}
            onChange={(event) => change({ viewsPerImage: event.target.value })}
          />
        )}
      </Field>
      <Field
        label="Augmentation seed"
        path={`${PATH}.augmentationSeed`}
        error={errorAt('augmentationSeed')}
        hint="Decides crops and flips in the place of the runs’ seeds, so that runs of all seeds share labels."
      >
        {(control) => (
          <NumberInput
            {...control}
            disabled={disabled}
            value={softLabels.augmentationSeed}
            onChange={(event) => change({ augmentationSeed: event.target.value })}
          />
        )}
      </Field>
      <Field
        label="Kept classes"
        path={`${PATH}.keep`}
        error={errorAt('keep')}
        hint={
          softLabels.keep === 'full'
            ? 'Every class’s probability, rounded to 16 bits.'
            : 'Much smaller files; the other classes share what is left evenly.'
        }
      >
        {(control) => (
          <Select
            {...control}
            disabled={disabled}
            value={softLabels.keep}
            options={KEPT}
            onChange={(keep) => change({ keep })}
          />
        )}
      </Field>
      <Field
        label="Keep logits"
        path={`${PATH}.logits`}
        error={errorAt('logits')}
        hint={explainLogits(softLabels.logits, isLogitsMixed(needsOfDraft(draft)))}
      >
        {(control) => (
          <Select
            {...control}
            disabled={disabled}
            value={isPrefilled && softLabels.logits === 'own' ? 'shared' : softLabels.logits}
            options={LOGITS.filter(({ value }) => !isPrefilled || value !== 'own')}
            onChange={(logits) => change({ logits })}
          />
        )}
      </Field>
      {isPrefilled && (
        <Field
          label="Hosts that label"
          optional
          path={`${PATH}.hostLabels`}
          error={errorAt('hostLabels')}
          hint="Labels that a host must have to take the runs that label, separated by commas. Empty: any host may."
        >
          {(control) => (
            <Input
              {...control}
              disabled={disabled}
              value={softLabels.hostLabels}
              placeholder="a100"
              onChange={(event) => change({ hostLabels: event.target.value })}
            />
          )}
        </Field>
      )}
    </div>
  );
}

function explainViews(views: number | undefined, epochs: number | undefined): string {
  const how = 'Crops of each image that the epochs go through in turn';
  if (!views || !epochs || !(views >= 1 && epochs >= 1)) return `${how}.`;
  if (views >= epochs) return `${how}: in ${epochs} epochs no crop comes twice.`;
  const times = Math.ceil(epochs / views);
  return `${how}: each crop comes ${epochs % views === 0 ? times : `${times - 1} or ${times}`} times.`;
}

function explainLogits(logits: KeptLogits, isMixed: boolean): string {
  const who = 'A discriminator that reads logits needs them beside the probabilities';
  if (!isMixed || logits === 'always') return `${who}.`;
  if (logits === 'shared') return `${who}: some variants do, so all keep them and share.`;
  return logits === 'own' ? `${who}: variants without one then keep labels of their own.` : `${who}.`;
}
