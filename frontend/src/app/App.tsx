import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { IntlProvider } from 'react-intl';
import { makeQueryClient } from '~/api/queryClient';
import { useMeQuery } from '~/api/me';
import type { Theme } from '~/api/types';
import { isProblem } from '~/api/problem';
import { cssVariables, theme } from '~/ui/theme';
import { ErrorState, PageSkeleton } from '~/ui/States';
import { catalogues } from './messages';
import { styleNonce } from './nonce';
import { makeRouter } from './router';

/** English texts, with dates and numbers as this reader's own English has them. */
const LOCALE = navigator.languages.find((language) => language.startsWith('en-')) ?? 'en-GB';

/** Everything a page stands on but the person: look and words. */
export function Foundations({ children, zone, scheme }: { children: ReactNode; zone?: string; scheme?: Theme }) {
  return (
    <IntlProvider locale={LOCALE} messages={catalogues['en']} timeZone={zone || undefined}>
      <MantineProvider
        theme={theme}
        cssVariablesResolver={cssVariables}
        getStyleNonce={styleNonce}
        defaultColorScheme="auto"
        forceColorScheme={scheme === 'light' || scheme === 'dark' ? scheme : undefined}
      >
        {children}
      </MantineProvider>
    </IntlProvider>
  );
}

/** Waits for who is signed in; nothing below has to ask whether the person is known. */
function Person() {
  const { data: me, error, refetch } = useMeQuery();
  const [router] = useState(makeRouter);
  if (isProblem(error, 401, 'not_authenticated')) {
    const here = window.location.pathname + window.location.search;
    window.location.assign(`/sign-in/?next=${encodeURIComponent(here)}`);
    return null;
  }
  return (
    <Foundations zone={me?.zone} scheme={me?.theme}>
      <Notifications position="bottom-right" limit={3} />
      {me ? <RouterProvider router={router} /> : error ? <ErrorState error={error} retry={() => void refetch()} /> : <PageSkeleton />}
    </Foundations>
  );
}

export function App() {
  const [client] = useState(makeQueryClient);
  return (
    <QueryClientProvider client={client}>
      <Person />
    </QueryClientProvider>
  );
}
