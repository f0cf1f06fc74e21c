import type { MessageFormatElement } from '@formatjs/icu-messageformat-parser';
import { createElement, useCallback } from 'react';
import type { ReactNode } from 'react';
import { useIntl } from 'react-intl';
import app from './en/app.json';
import audit from './en/audit.json';
import canvas from './en/canvas.json';
import editor from './en/editor.json';
import flows from './en/flows.json';
import inbox from './en/inbox.json';
import notices from './en/notices.json';
import requests from './en/requests.json';
import runs from './en/runs.json';
import settings from './en/settings.json';
import versions from './en/versions.json';
import testing from './en/testing.json';
import tour from './en/tour.json';

/** One catalogue per area; an id begins with its area's name. English is the source. */
const source = { ...app, ...audit, ...canvas, ...editor, ...flows, ...inbox, ...notices, ...requests, ...runs, ...settings, ...testing, ...tour, ...versions };

export type MessageId = keyof typeof source;
export type Catalogue = Record<string, MessageFormatElement[]>;

// The build parses the texts (build-plugins/messages.ts); TypeScript sees the files as written.
export const english = source as unknown as Catalogue;

export const isMessage = (id: string): id is MessageId => id in source;

type Values = Record<string, string | number | boolean | Date | null | undefined>;
export type Translate = (id: MessageId, values?: Values) => string;

/** `t('flows.title')`: the text in the reader's language. */
export function useT(): Translate {
  const intl = useIntl();
  return useCallback<Translate>((id, values) => intl.formatMessage({ id }, values), [intl]);
}

type RichValue = ReactNode | ((parts: ReactNode[]) => ReactNode);

/** A text with elements in it: `<T id="…" values={{ b: (parts) => <strong>{parts}</strong> }} />`. */
export function T({ id, values }: { id: MessageId; values?: Record<string, RichValue> }) {
  const intl = useIntl();
  const parts = intl.formatMessage({ id }, values as Parameters<typeof intl.formatMessage>[1]);
  return createElement('span', { style: { display: 'contents' } }, parts as ReactNode);
}
