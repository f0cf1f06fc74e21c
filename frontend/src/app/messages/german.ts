import type { Catalogue } from './index';

const parts = import.meta.glob<Catalogue>('./de/*.json', { eager: true, import: 'default' });

/** All areas in one file of their own, fetched by those who read German. */
export const german: Catalogue = Object.assign({}, ...Object.values(parts));
