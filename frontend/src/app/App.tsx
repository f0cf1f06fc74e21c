import { DirectionProvider, MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { IntlProvider } from 'react-intl';
import { makeQueryClient } from '~/api/queryClient';
import { useMeQuery } from '~/api/me';
import type { Theme } from '~/api/types';
import { isProblem } from '~/api/problem';
import { cssVariables, theme } from '~/ui/theme';
import { FlowZone } from '~/ui/time';
import { ErrorState, PageSkeleton } from '~/ui/States';
import { english } from './messages';
import type { Catalogue } from './messages';
import { directionOf, loadWording, localeOf, wordingOf } from './messages/languages';
import type { Wording } from './messages/languages';
import { styleNonce } from './nonce';
import { makeRouter } from './router';

/** The words for this reader; those before stay on the page until they are here. */
function useWords(wording: Wording): { wording: Wording; messages: Catalogue } | undefined {
  const [words, setWords] = useState<{ wording: Wording; messages: Catalogue }>();
  const known = wording === 'en' ? ENGLISH : words;
  useEffect(() => {
    if (wording === 'en') return;
    let wanted = true;
    // Without its file (no connection, a newer installation) a page in English beats none.
    void loadWording(wording, english)
      .catch(() => english)
      .then((messages) => {
        if (wanted) setWords({ wording, messages });
      });
    return () => {
      wanted = false;
    };
  }, [wording]);
  return known;
}

const ENGLISH = { wording: 'en' as Wording, messages: english };

/** Everything a page stands on but the person: look and words. */
export function Foundations({ children, zone, scheme, language }: { children: ReactNode; zone?: string; scheme?: Theme; language?: string }) {
  const words = useWords(wordingOf(language));
  const shown = words?.wording;
  useEffect(() => {
    if (!shown) return;
    document.documentElement.lang = shown;
    document.documentElement.dir = directionOf(shown);
  }, [shown]);
  if (!words) return null;
  const direction = directionOf(words.wording);
  return (
    <IntlProvider locale={localeOf(words.wording)} messages={words.messages} timeZone={zone || undefined}>
      <DirectionProvider key={direction} initialDirection={direction} detectDirection={false}>
        <MantineProvider
          theme={theme}
          cssVariablesResolver={cssVariables}
          getStyleNonce={styleNonce}
          defaultColorScheme="auto"
          forceColorScheme={scheme === 'light' || scheme === 'dark' ? scheme : undefined}
        >
          {children}
        </MantineProvider>
      </DirectionProvider>
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
    <Foundations zone={me?.zone} scheme={me?.theme} language={me ? me.language : document.documentElement.lang}>
      <Notifications position="bottom-right" limit={3} />
      {me ? <FlowZone value={me.workspace.zone}><RouterProvider router={router} /></FlowZone> : error ? <ErrorState error={error} retry={() => void refetch()} /> : <PageSkeleton />}
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
