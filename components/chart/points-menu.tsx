'use client';
import { Download } from 'lucide-react';
import { useIsShared } from '../share/shared-context';
import { IconButton } from '../ui/button';
import { Menu, MenuItem } from '../ui/menu';

const FORMATS = [
  { format: 'csv', label: 'CSV', hint: 'a line per point' },
  { format: 'jsonl', label: 'JSON Lines', hint: 'a line per record' },
  { format: 'parquet', label: 'Parquet', hint: 'for pandas, Polars, DuckDB' },
];

/** Every stored point as a file, for members: a link in a page cannot show a share link's secret. @param of its address without the format, such as `/api/runs/<id>/metrics` */
export function PointsMenu({ of }: { of: string }) {
  if (useIsShared()) return null;
  return (
    <Menu
      trigger={
        <IconButton label="Download all points" variant="secondary">
          <Download aria-hidden />
        </IconButton>
      }
    >
      {FORMATS.map(({ format, label, hint }) => (
        <MenuItem key={format} asChild>
          <a href={`${of}/${format}`} download>
            {label} <span className="text-ink-3">{hint}</span>
          </a>
        </MenuItem>
      ))}
    </Menu>
  );
}
