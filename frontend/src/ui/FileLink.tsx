import { address } from '~/api/client';
import { useT } from '~/app/messages';
import { IconPaperclip } from './icons';
import classes from './FileLink.module.css';

/** A file as answers, facts and evidence have it. */
export interface KeptFile {
  id: string;
  name: string;
  type: string;
  size: number;
  sha256: string;
}

const NAMES = ['id', 'name', 'sha256', 'size', 'type'];

export const isFile = (value: unknown): value is KeptFile =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).sort().join() === NAMES.join();

/** `1.4 MB`, with no more digits than anybody needs. */
export function sizeOf(bytes: unknown, locale: string): string {
  const size = Number(String(bytes));
  const [unit, by] = size >= 1_000_000 ? (['megabyte', 1_000_000] as const) : (['kilobyte', 1000] as const);
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 1 }).format(Math.max(size, 100) / by);
}

/** Leads to the file, which is saved and never shown in place; the hash is for whoever compares. */
export function FileLink({ file }: { file: KeptFile }) {
  const t = useT();
  return (
    <a className={classes.file} href={address(`files/${file.id}/`)} download title={t('requests.file_hash', { hash: file.sha256 })} dir="auto">
      <IconPaperclip size={16} aria-hidden />
      {file.name}
    </a>
  );
}
