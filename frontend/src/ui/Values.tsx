import { useState } from 'react';
import { SegmentedControl } from '@mantine/core';
import { ExactNumber, stringifyExact } from '~/api/exact';
import { useT } from '~/app/messages';
import { CopyButton } from './CopyButton';
import classes from './Values.module.css';

const isBranch = (value: unknown): value is Record<string, unknown> | unknown[] =>
  typeof value === 'object' && value !== null && !(value instanceof ExactNumber) && Object.keys(value).length > 0;

function Leaf({ value }: { value: unknown }) {
  const t = useT();
  if (value === null) return <span className={classes.empty}>{t('app.value.nothing')}</span>;
  if (value === '') return <span className={classes.empty}>{t('app.value.empty_text')}</span>;
  if (typeof value === 'string') return <span className={classes.text}>{value}</span>;
  if (typeof value === 'object' && !(value instanceof ExactNumber)) return <span className={classes.empty}>{t('app.value.empty_list')}</span>;
  if (value instanceof ExactNumber) return <span className={classes.number}>{value.source}</span>;
  return <span className={classes.number}>{JSON.stringify(value)}</span>;
}

function Branch({ value, depth }: { value: Record<string, unknown> | unknown[]; depth: number }) {
  const t = useT();
  const entries = Object.entries(value);
  return (
    <ul className={classes.branch}>
      {entries.map(([name, part]) => (
        <li key={name}>
          {isBranch(part) ? (
            <details open={depth < 2}>
              <summary>
                <span className={classes.name}>{name}</span>
                <span className={classes.count}>{t('app.value.count', { count: Object.keys(part).length })}</span>
              </summary>
              <Branch value={part} depth={depth + 1} />
            </details>
          ) : (
            <div className={classes.row}>
              <span className={classes.name}>{name}</span>
              <Leaf value={part} />
            </div>
          )}
        </li>
      ))}
    </ul>
  );
}

/** Any value as a tree of names, or as the text it is; copied as text. Numbers stand as written. */
export function Values({ value, label }: { value: unknown; label: string }) {
  const t = useT();
  const [view, setView] = useState('tree');
  const text = stringifyExact(value, 2) ?? '';
  return (
    <div className={classes.values}>
      <div className={classes.head}>
        <h3 className={classes.title}>{label}</h3>
        {isBranch(value) ? (
          <SegmentedControl
            aria-label={t('app.value.view')}
            value={view}
            onChange={setView}
            data={[
              { value: 'tree', label: t('app.value.tree') },
              { value: 'text', label: t('app.value.text') },
            ]}
          />
        ) : null}
        <CopyButton value={text} what={label} />
      </div>
      <div className={classes.body}>
        {isBranch(value) && view === 'tree' ? <Branch value={value} depth={0} /> : isBranch(value) ? (
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- long text scrolls by keyboard
          <pre className={classes.raw} tabIndex={0}>{text}</pre>
        ) : (
          <Leaf value={value} />
        )}
      </div>
    </div>
  );
}
