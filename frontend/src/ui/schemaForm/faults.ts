import { toErrorSchema } from '@rjsf/utils';
import type { ErrorSchema } from '@rjsf/utils';
import { Problem } from '~/api/problem';

/** What does not fit, at which field: `lines.2.price`. */
export interface Fault {
  path: string;
  message: string;
}

/** What the server says of answers that it has refused. */
export function faultsOf(error: unknown): Fault[] {
  const found = error instanceof Problem ? error.fields['errors'] : undefined;
  if (!Array.isArray(found)) return [];
  return (found as unknown[]).flatMap((one) => {
    const { path, message } = (one ?? {}) as Partial<Fault>;
    return typeof path === 'string' && typeof message === 'string' ? [{ path, message }] : [];
  });
}

/** The same as the form library wants it. */
export const asErrorSchema = (faults: readonly Fault[]): ErrorSchema<unknown> =>
  toErrorSchema(faults.map(({ path, message }) => ({ property: `.${path}`, message, stack: message })));
