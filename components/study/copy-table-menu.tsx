'use client';
import { Check, Copy, Download } from 'lucide-react';
import { saveFile, saveText, svgToPng } from '../save-file';
import { Button } from '../ui/button';
import { useCopy } from '../ui/copy-button';
import { Menu, MenuItem, MenuSeparator } from '../ui/menu';
import { toastError } from '../ui/toast';
import { type TextTable, tableToLatex, tableToMarkdown } from './table-cells';

/** Of a picture, to a pixel of the page: 300 to the inch and more. */
const PIXELS_PER_UNIT = 4;

interface TableMenuProps {
  /** Of files, without an ending. */
  stem: string;
  /** Each makes its text when it is chosen. */
  csv: () => string;
  text: () => TextTable;
  /** A picture beside the table; null where there is nothing to draw. */
  figure?: () => { svg: string; width: number; height: number } | null;
}

const latexFloat = (table: TextTable, stem: string) => tableToLatex(table, { float: { label: `tab:${stem}` } });

export function CopyTableMenu({ stem, csv, text }: TableMenuProps) {
  const [copied, copy] = useCopy();
  return (
    <Menu
      trigger={
        <Button size="sm">
          {copied ? <Check aria-hidden className="text-good" /> : <Copy aria-hidden />}
          {copied ? 'Copied' : 'Copy table'}
        </Button>
      }
    >
      <MenuItem onSelect={() => void copy(csv())}>Copy as CSV</MenuItem>
      <MenuItem onSelect={() => void copy(tableToMarkdown(text()))}>Copy as Markdown</MenuItem>
      <MenuItem onSelect={() => void copy(tableToLatex(text()))}>Copy as LaTeX</MenuItem>
      <MenuItem onSelect={() => void copy(latexFloat(text(), stem))}>Copy as LaTeX with caption</MenuItem>
    </Menu>
  );
}

export function DownloadTableMenu({ stem, csv, text, figure }: TableMenuProps) {
  const savePng = async () => {
    const drawn = figure?.();
    if (!drawn) return;
    try {
      saveFile(`${stem}.png`, await svgToPng(drawn.svg, PIXELS_PER_UNIT));
    } catch (error) {
      toastError('The picture was not made', error);
    }
  };
  const saveSvg = () => {
    const drawn = figure?.();
    if (drawn) saveText(`${stem}.svg`, 'image/svg+xml', drawn.svg);
  };
  return (
    <Menu
      trigger={
        <Button size="sm">
          <Download aria-hidden />
          Download
        </Button>
      }
    >
      <MenuItem onSelect={() => saveText(`${stem}.csv`, 'text/csv', csv())}>CSV</MenuItem>
      <MenuItem onSelect={() => saveText(`${stem}.md`, 'text/markdown', tableToMarkdown(text()))}>Markdown</MenuItem>
      <MenuItem onSelect={() => saveText(`${stem}.tex`, 'application/x-tex', latexFloat(text(), stem))}>
        LaTeX with caption
      </MenuItem>
      {figure && (
        <>
          <MenuSeparator />
          <MenuItem onSelect={saveSvg}>Figure as SVG</MenuItem>
          <MenuItem onSelect={() => void savePng()}>Figure as PNG</MenuItem>
        </>
      )}
    </Menu>
  );
}
