'use client';
import { DESIGN_KINDS } from '@mealtable/protocol/study-design';
import { FieldGroup } from '../../ui/field';
import { Panel } from '../../ui/panel';
import { Segmented } from '../../ui/segmented';
import { DiscriminatorField } from './discriminator-field';
import type { StudyDraft } from './draft';
import { useStudyForm } from './form-context';
import { InputSizeField } from './input-size-field';
import { ListEditor } from './list-editor';
import { MoreFactors } from './more-factors';
import { problemAt } from './problems';
import { TeachersField } from './teachers-field';

const KINDS: Record<StudyDraft['design'], { label: string; says: string }> = {
  'full-factorial': { label: 'Full factorial', says: 'Every combination of the levels below.' },
  'one-at-a-time': {
    label: 'One at a time',
    says: 'The base of each factor, then each other level with the rest at their base.',
  },
  list: { label: 'List', says: 'Exactly the variants listed below.' },
};

export function FactorsSection() {
  const { draft, update, shown, existing } = useStudyForm();
  return (
    <Panel title="Variants">
      <div className="space-y-5">
        <FieldGroup label="Design" path="design" hint={KINDS[draft.design].says} error={problemAt(shown, 'factors')}>
          <Segmented
            label="Design"
            value={draft.design}
            disabled={existing !== null}
            onChange={(design) => update({ design })}
            options={DESIGN_KINDS.map((kind) => ({ value: kind, label: KINDS[kind].label }))}
          />
        </FieldGroup>
        {draft.design === 'list' ? (
          <ListEditor />
        ) : (
          <>
            <TeachersField />
            <div className="grid gap-5 sm:grid-cols-2">
              <DiscriminatorField />
              <InputSizeField />
            </div>
          </>
        )}
        <MoreFactors />
      </div>
    </Panel>
  );
}
