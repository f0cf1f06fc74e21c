import { Button } from '@mantine/core';
import { useT } from '~/app/messages';

export interface MoreOf {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => Promise<unknown>;
}

/** The next page of a list, below it. Nothing when there is none. */
export function More({ of }: { of: MoreOf }) {
  const t = useT();
  if (!of.hasNextPage) return null;
  return (
    <Button variant="subtle" loading={of.isFetchingNextPage} onClick={() => void of.fetchNextPage()}>
      {t('app.more')}
    </Button>
  );
}
