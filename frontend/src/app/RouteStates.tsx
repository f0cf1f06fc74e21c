import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ErrorComponentProps } from '@tanstack/react-router';
import type { Right } from '~/api/types';
import { Page, useTitle } from '~/ui/Page';
import { EmptyState, ErrorState, NoRightState } from '~/ui/States';
import { IconRefresh, IconSearch } from '~/ui/icons';
import { useT } from './messages';

export function NotFound() {
  const t = useT();
  return (
    <Page>
      <EmptyState
        icon={IconSearch}
        title={t('app.not_found.title')}
        action={<Button component={Link} to="/">{t('app.not_found.home')}</Button>}
      >
        {t('app.not_found.text')}
      </EmptyState>
    </Page>
  );
}

/** In the place of a page that needs one of `rights`. */
export function NoRight({ rights }: { rights: Right[] }) {
  const t = useT();
  useTitle(t('app.no_right.title'));
  return (
    <Page>
      <NoRightState rights={rights} />
    </Page>
  );
}

const OUTDATED = /dynamically imported module|Importing a module script failed/i;

/** A page that broke. After a release the old page's parts are gone; reading it anew brings the new ones. */
export function RouteError({ error, reset }: ErrorComponentProps) {
  const t = useT();
  const outdated = error instanceof Error && OUTDATED.test(error.message);
  return (
    <Page>
      {outdated ? (
        <EmptyState
          icon={IconRefresh}
          title={t('app.outdated.title')}
          action={<Button variant="filled" onClick={() => window.location.reload()}>{t('app.outdated.reload')}</Button>}
        >
          {t('app.outdated.text')}
        </EmptyState>
      ) : (
        <ErrorState error={error} retry={reset} />
      )}
    </Page>
  );
}
