import { ActionIcon, UnstyledButton } from '@mantine/core';
import { useEffect } from 'react';
import type { Flow } from '~/api/types';
import { useT } from '~/app/messages';
import { IconChevronDown } from '~/ui/icons';
import type { Autosave } from '../autosave';
import { useFindings } from '../findings';
import { trialOf } from '../trial';
import { useView } from '../view';
import type { Drawer as DrawerName } from '../view';
import classes from './Drawer.module.css';
import { Explain } from './explain/Explain';
import { Problems } from './Problems';
import { Samples } from './Samples';
import { TABS } from './tabs';
import { Trial } from './trial/Trial';
import { Versions } from './Versions';

/** Below the flow: problems, samples, trying it out, versions. */
export function Drawer({ flow, autosave }: { flow: Flow; autosave: Autosave }) {
  const t = useT();
  useEffect(() => trialOf(flow.id), [flow.id]);
  const open = useView((view) => view.drawer);
  const count = useFindings((state) => state.findings.length);
  return (
    <section className={classes.drawer} data-open={open !== null || undefined} data-tall={open === 'samples' || open === 'try' || open === 'explain' || undefined} aria-label={t('editor.drawer')}>
      <div className={classes.bar}>
        {(Object.keys(TABS) as DrawerName[]).map((name) => (
          <UnstyledButton key={name} className={classes.tab} aria-expanded={open === name} aria-controls="editor-drawer" data-active={open === name || undefined} onClick={() => useView.setState({ drawer: open === name ? null : name })}>
            {t(TABS[name])}
            {name === 'problems' && count > 0 ? <span className={classes.count}>{count}</span> : null}
          </UnstyledButton>
        ))}
        <span className={classes.space} />
        {open === null ? null : (
          <ActionIcon size="xs" aria-label={t('editor.drawer.close')} onClick={() => useView.setState({ drawer: null })}>
            <IconChevronDown size={16} aria-hidden />
          </ActionIcon>
        )}
      </div>
      {open === null ? null : (
        <div id="editor-drawer" className={classes.body}>
          {open === 'problems' ? <Problems /> : open === 'samples' ? <Samples flow={flow} /> : open === 'try' ? <Trial flow={flow} autosave={autosave} /> : open === 'explain' ? <Explain flow={flow} /> : <Versions flow={flow} autosave={autosave} />}
        </div>
      )}
    </section>
  );
}
