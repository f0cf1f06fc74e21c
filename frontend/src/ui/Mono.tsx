import type { ReactNode } from 'react';
import { CopyButton } from './CopyButton';
import classes from './Mono.module.css';

/** An id, hash or address: one face, and copied with one click where `copy` names it. */
export function Mono({ children, copy, value }: { children: ReactNode; copy?: string; value?: string }) {
  const text = value ?? (typeof children === 'string' ? children : '');
  return (
    <span className={classes.mono}>
      <code className={classes.code} title={text || undefined}>
        {children}
      </code>
      {copy ? <CopyButton value={text} what={copy} /> : null}
    </span>
  );
}

/** The beginning of a hash or id, enough to tell it from others; the whole on hover and when copied. */
export function Short({ value, copy, length = 8 }: { value: string; copy?: string; length?: number }) {
  return (
    <Mono value={value} copy={copy}>
      {value.replace(/^sha256:/, '').slice(0, length)}
    </Mono>
  );
}
