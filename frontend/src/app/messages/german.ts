import type { Catalogue } from './index';

const parts = import.meta.glob<Catalogue>('./de/*.json', { eager: true, import: 'default' });

/** All areas in one file of their own, fetched by those who read German. */
export const german: Catalogue = Object.fromEntries(Object.values(parts).flatMap((part) => Object.entries(part)));
