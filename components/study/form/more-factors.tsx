'use client';
import { CHOICE_NAMES, choiceWords, isStandard } from '@mealtable/protocol/study-choices';
import { type ReactNode, useState } from 'react';
import { Disclosure } from '../../ui/disclosure';
import { DiscriminatorOptionFields } from './discriminator-options';
import { discriminatorInput } from './draft-to-design';
import { useStudyForm } from './form-context';
import {
  AverageLevels,
  EnsembleLevels,
  HardLabelLevels,
  MixingLevels,
  TeacherSizeLevels,
  TemperatureLevels,
} from './more-levels';
import { problemAt } from './problems';

/** Factors besides the paper's own. Closed until something in it is not MEAL V2's own, or wrong. */
export function MoreFactors() {
  const { draft, shown } = useStudyForm();
  const differing = CHOICE_NAMES.filter((name) => {
    const [first] = draft.choices[name];
    return draft.choices[name].length !== 1 || (first !== undefined && !isStandard(name, first));
  });
  const hasOptions = Object.keys(discriminatorInput(draft.discriminatorOptions)).length > 0;
  const [isOpen, setOpen] = useState(differing.length > 0 || hasOptions);
  const paths = [...CHOICE_NAMES.map((name) => `factors.${name}`), 'discriminatorOptions'];
  const isShown = isOpen || paths.some((path) => problemAt(shown, path, true));
  const summary = differing.map((name) =>
    draft.choices[name].map((level) => choiceWords(name, level as never)).join(' / '),
  );
  return (
    <div>
      <Disclosure
        label="More factors"
        summary={[...summary, ...(hasOptions ? ['another discriminator'] : [])].join(' · ') || 'all as in MEAL V2'}
        isOpen={isShown}
        onToggle={() => setOpen(!isShown)}
      />
      {isShown && (
        <div className="mt-3 space-y-5 border-t pt-4">
          {draft.design === 'list' && (
            <p className="text-ink-3 text-xs">
              With one level it holds for every variant; with several, each variant above chooses one.
            </p>
          )}
          <Group title="Method">
            <TeacherSizeLevels />
            <EnsembleLevels />
            <TemperatureLevels />
            <HardLabelLevels />
            <DiscriminatorOptionFields />
          </Group>
          <Group title="Augmentation">
            <MixingLevels />
          </Group>
          <Group title="Optimiser">
            <AverageLevels />
          </Group>
        </div>
      )}
    </div>
  );
}

const Group = ({ title, children }: { title: string; children: ReactNode }) => (
  <section className="space-y-4">
    <h3 className="font-semibold text-sm">{title}</h3>
    {children}
  </section>
);
