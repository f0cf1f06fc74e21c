import { Link } from '@tanstack/react-router';
import type { KeyboardEvent, ReactNode } from 'react';
import classes from './DataTable.module.css';

export interface Column<Row> {
  key: string;
  header: string;
  cell: (row: Row) => ReactNode;
  width?: number | string;
  /** What it is never narrower than; text may break anywhere, so it needs one. */
  min?: number;
  align?: 'start' | 'end';
  /** Dropped first when room is short: `wide` below 1200 px, `medium` below 1024 px. */
  show?: 'always' | 'medium' | 'wide';
  /** On a phone a row is a card; say there what the value is. */
  labelled?: boolean;
  /** Header is for screen readers only (actions). */
  quiet?: boolean;
}

interface Props<Row> {
  label: string;
  columns: Column<Row>[];
  rows: Row[];
  rowKey: (row: Row) => string;
  /** Where the first cell leads; the whole row can be clicked. */
  rowLink?: (row: Row) => string;
  footer?: ReactNode;
}

/** Arrow keys move between the rows' links; Home and End reach the first and the last. */
function moveFocus(event: KeyboardEvent<HTMLTableSectionElement>) {
  const steps: Record<string, (at: number, count: number) => number> = {
    ArrowDown: (at, count) => Math.min(at + 1, count - 1),
    ArrowUp: (at) => Math.max(at - 1, 0),
    Home: () => 0,
    End: (_at, count) => count - 1,
  };
  const step = steps[event.key];
  const links = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>('a[data-row-link]')];
  const at = links.indexOf(document.activeElement as HTMLAnchorElement);
  if (!step || at < 0) return;
  event.preventDefault();
  links[step(at, links.length)]?.focus();
}

/* eslint-disable jsx-a11y/no-redundant-roles, jsx-a11y/no-interactive-element-to-noninteractive-role --
   a phone shows rows as cards, and `display` takes away the roles that a table has by itself */
/** The one dense table of the product; below 768 px each row becomes a card. */
export function DataTable<Row>({ label, columns, rows, rowKey, rowLink, footer }: Props<Row>) {
  return (
    <div className={classes.frame}>
      <table className={classes.table} role="table" aria-label={label}>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th key={column.key} role="columnheader" scope="col" data-show={column.show} data-align={column.align} style={{ width: column.width, minWidth: column.min }}>
                {column.quiet ? <span className="sr-only">{column.header}</span> : column.header}
              </th>
            ))}
          </tr>
        </thead>
        {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- keys on links inside */}
        <tbody role="rowgroup" onKeyDown={moveFocus}>
          {rows.map((row) => (
            <tr key={rowKey(row)} role="row" data-link={rowLink ? true : undefined}>
              {columns.map((column, index) => (
                <td key={column.key} role="cell" data-show={column.show} data-align={column.align} data-first={index === 0 || undefined} data-quiet={column.quiet}>
                  {column.labelled ? <span className={classes.label}>{column.header}</span> : null}
                  {index === 0 && rowLink ? (
                    <Link to={rowLink(row)} data-row-link className={classes.rowLink}>
                      {column.cell(row)}
                    </Link>
                  ) : (
                    column.cell(row)
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {footer ? <div className={classes.footer}>{footer}</div> : null}
    </div>
  );
}
