'use client';
import { StudyViews } from '../study/study-views';
import { type ChartView, formatView, readView } from './view-state';

interface SavedViewsProps {
  studyId: string;
  canEdit: boolean;
  view: ChartView;
  /** What holds where a saved view says nothing. */
  usual: ChartView;
  onOpen: (view: ChartView) => void;
}

/** Ways of looking at the study's charts that somebody kept. */
export const SavedViews = ({ studyId, canEdit, view, usual, onOpen }: SavedViewsProps) => (
  <StudyViews
    kind="charts"
    {...{ studyId, canEdit }}
    state={formatView(view, usual)}
    onOpen={(state) => onOpen(readView(new URLSearchParams(state), usual))}
    hint="A view is all that is set here: axis, grouping, zoom, lines."
    stays="The charts themselves stay."
  />
);
