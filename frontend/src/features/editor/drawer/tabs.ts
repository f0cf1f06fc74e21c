import type { MessageId } from '~/app/messages';
import type { Drawer } from '../view';

/** What the drawer below the flow can show. */
export const TABS: Record<Drawer, MessageId> = { problems: 'editor.drawer.problems', samples: 'editor.drawer.samples', try: 'testing.drawer', versions: 'editor.drawer.versions', explain: 'editor.drawer.explain' };
