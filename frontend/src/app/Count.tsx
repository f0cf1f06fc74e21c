import classes from './Count.module.css';

/** A number on an icon; nothing when it is zero. Over 999 it says "999+". */
export function Count({ value, label }: { value: number; label: string }) {
  if (value === 0) return null;
  return (
    <span className={classes.count}>
      <span aria-hidden>{value > 999 ? `${999}+` : value}</span>
      {label ? <span className="sr-only">{label}</span> : null}
    </span>
  );
}
