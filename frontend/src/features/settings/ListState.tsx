import type { ReactNode } from 'react';
import { ErrorState, ListSkeleton } from '~/ui/States';

interface Props<Row> {
  query: { data?: { results: Row[] }; error: unknown; refetch: () => unknown };
  empty: ReactNode;
  children: (rows: Row[]) => ReactNode;
}

/** Reading, error, empty and full of a short list. */
export function ListState<Row>({ query, empty, children }: Props<Row>) {
  if (query.data) return query.data.results.length > 0 ? children(query.data.results) : empty;
  return query.error ? <ErrorState error={query.error} retry={() => void query.refetch()} /> : <ListSkeleton rows={4} />;
}
