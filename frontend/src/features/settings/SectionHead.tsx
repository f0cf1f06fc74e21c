import type { ReactNode } from 'react';
import { useTitle } from '~/ui/Page';
import classes from './Settings.module.css';

/** Name of the part, one sentence on what it is for, one action. */
export function SectionHead({ title, text, action }: { title: string; text: string; action?: ReactNode }) {
  useTitle(title);
  return (
    <div className={classes.head}>
      <div>
        <h2 className={classes.heading}>{title}</h2>
        <p className={classes.text}>{text}</p>
      </div>
      {action}
    </div>
  );
}

export function Tags({ items, none }: { items: string[]; none: string }) {
  if (items.length === 0) return <span>{none}</span>;
  return (
    <span className={classes.tags}>
      {items.map((item) => <span key={item} className={classes.tag}>{item}</span>)}
    </span>
  );
}
