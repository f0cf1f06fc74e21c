import { createContext, useContext } from 'react';
import type { PathNode, PathSource, Sample } from '../document/paths';
import type { Config } from '../document/document';
import type { Operator } from './conditions/model';
import { pathName } from './schema';
import type { Path, Schema } from './schema';

/** A place in an expression as its field shows it, and what is wrong there. */
export interface Fault {
  from: number;
  to: number;
  message: string;
}

/** What the fields of one form share. */
export interface FormValues {
  flowId: string;
  /** The step, or the trigger, that is configured. */
  owner: string;
  root: Schema;
  readOnly: boolean;
  /** What expressions here can read; worked out when it is asked for, since most changes never ask. */
  sources: () => PathSource[];
  paths: () => PathNode[];
  /** Names that expressions of this field read, which no sample of a run knows. */
  names?: string[];
  /** What conditions here can compare with; all of it where nothing is said. */
  operators?: Operator[];
  sample: Sample | null;
  /** What the check says, by the name of the field. */
  errors: ReadonlyMap<string, string>;
  warnings: ReadonlyMap<string, string>;
  /** Where in an expression the check found something, by the name of the field. */
  faults?: ReadonlyMap<string, Fault>;
  /** Patterns such as `branches[].port` of fields that name a way out. */
  portPaths: string[];
  /** The config as it stands now, also between two renders. */
  current: () => Config;
  set: (path: Path, value: unknown) => void;
  /** Puts a form in its place in which an answer is called otherwise; what reads it elsewhere follows. */
  renameAnswer?: (path: Path, form: Schema, from: string, to: string) => void;
  /** A field was left: what is typed next is another entry of the history. */
  settle: () => void;
}

export const FormContext = createContext<FormValues | null>(null);

export function useForm(): FormValues {
  const form = useContext(FormContext);
  if (!form) throw new Error('A field stands outside a form.');
  return form;
}

export const usePathError = (path: Path): string | undefined => useForm().errors.get(pathName(path));

/** `branches[].port` for `['branches', 0, 'port']`. */
export const patternOf = (path: Path): string =>
  path.reduce<string>((text, part) => (typeof part === 'number' ? `${text}[]` : text ? `${text}.${part}` : part), '');
