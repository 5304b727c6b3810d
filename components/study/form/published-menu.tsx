'use client';
import { PUBLISHED_STUDY_NAMES, publishedStudy } from '@mealtable/protocol/published-studies';
import { PUBLISHED_CLASS_COUNT } from '@mealtable/protocol/published-weights';
import { BookOpen } from 'lucide-react';
import { formatPercent } from '../../format';
import { Button } from '../../ui/button';
import { Menu, MenuItem, MenuLabel } from '../../ui/menu';
import { Notice } from '../../ui/notice';
import { fillPublished } from './fill-published';
import { useStudyForm } from './form-context';

/** Fills the form as one of the published trainings. */
export function PublishedMenu() {
  const { update, datasets } = useStudyForm();
  return (
    <Menu
      trigger={
        <Button size="sm">
          <BookOpen aria-hidden /> Fill from the paper
        </Button>
      }
    >
      <MenuLabel>Published student, top-1 on ImageNet</MenuLabel>
      {PUBLISHED_STUDY_NAMES.map((name) => {
        const { title, top1 } = publishedStudy(name);
        return (
          <MenuItem key={name} onSelect={() => update((draft) => fillPublished(draft, name, datasets))}>
            <span className="grow">{title}</span>
            <span className="num pl-4 text-ink-3">{formatPercent(top1)}</span>
          </MenuItem>
        );
      })}
    </Menu>
  );
}

/** Says what the form was filled from, what that means here, and lets go of it. */
export function PublishedNotice() {
  const { draft, update, datasets } = useStudyForm();
  if (!draft.reproduces) return null;
  const { title, top1, top5, assumed } = publishedStudy(draft.reproduces);
  const classes = datasets.find(({ name }) => name === draft.dataset)?.classNames.length;
  const isOther = classes !== undefined && classes !== PUBLISHED_CLASS_COUNT;
  return (
    <Notice tone={isOther ? 'warn' : 'info'} title={`As published: ${title}`}>
      Top-1 <span className="num">{formatPercent(top1)}</span>, top-5 <span className="num">{formatPercent(top5)}</span>{' '}
      on ImageNet. A row of the study’s table shows them beside what is computed.{' '}
      {isOther &&
        `${draft.dataset} has ${classes} classes, so that they cannot be compared with, and published teachers cannot teach: choose ImageNet. `}
      An update takes 8 batches of 64 images: 512, with batch norm over 64 as on the authors’ eight GPUs. {assumed}{' '}
      <button
        type="button"
        onClick={() => update({ reproduces: undefined })}
        className="rounded font-medium text-accent underline underline-offset-2"
      >
        Leave the row out
      </button>
    </Notice>
  );
}
