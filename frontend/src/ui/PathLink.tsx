import { Link } from '@tanstack/react-router';
import type { ComponentProps } from 'react';

const TASK = /^\/inbox\/([0-9a-f-]{36})\/$/;

/** A link to a path that the server gave. A task opens in the inbox; what has a page outside the app is loaded anew. */
export function PathLink({ path, children, ...rest }: { path: string } & Omit<ComponentProps<'a'>, 'href' | 'ref'>) {
  const task = TASK.exec(path)?.[1];
  if (task) return <Link to="/inbox/" search={{ task }} {...rest}>{children}</Link>;
  return path.startsWith('/inbox/') ? <a href={path} {...rest}>{children}</a> : <Link to={path} {...rest}>{children}</Link>;
}
