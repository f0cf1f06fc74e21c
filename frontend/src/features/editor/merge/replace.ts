import type { FlowDocument } from '~/api/types';
import type { Edit } from '../document/document';

/** Puts another document in the place of the open one: an edit like any other, which undo takes back. */
export const replaceWith =
  (document: FlowDocument): Edit =>
  (draft) => {
    for (const name of Object.keys(draft)) if (!(name in document)) delete draft[name];
    Object.assign(draft, document);
  };
