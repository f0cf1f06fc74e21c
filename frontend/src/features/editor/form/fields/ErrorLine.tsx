import { Input } from '@mantine/core';
import type { ReactNode } from 'react';

/** What is wrong with a group of fields as a whole. */
export function ErrorLine({ children }: { children: ReactNode }) {
  return children ? <Input.Error mt={4}>{children}</Input.Error> : null;
}
