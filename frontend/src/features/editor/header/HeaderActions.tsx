import { ActionIcon, Button, Menu, Tooltip } from '@mantine/core';
import { useState } from 'react';
import type { Flow } from '~/api/types';
import { useT } from '~/app/messages';
import { IconAlertCircle, IconAlertTriangle, IconChecks, IconCircleCheck, IconFileExport, IconFileImport, IconListTree, IconRocket, IconSitemap } from '~/ui/icons';
import { exportFlow } from '../exchange';
import { isError, useFindings } from '../findings';
import { useEditor } from '../store';
import { say, useView } from '../view';
import classes from './Header.module.css';

/** Outline or canvas, findings, Check, Publish. */
export function HeaderActions({ flow, check, narrow }: { flow: Flow; check: () => Promise<void>; narrow: boolean }) {
  const t = useT();
  const outline = useView((view) => view.outline);
  const readOnly = useEditor((editor) => editor.readOnly);
  const [checking, setChecking] = useState(false);
  const may = flow.rights.includes('publish') && flow.state !== 'archived';
  const run = () => {
    setChecking(true);
    useView.setState({ drawer: 'problems' });
    void check().finally(() => {
      setChecking(false);
      say(t('editor.findings', { count: useFindings.getState().findings.length }));
    });
  };
  const view = t(outline ? 'editor.as_canvas' : 'editor.as_outline');
  return (
    <>
      {narrow ? null : (
        <Tooltip label={view}>
          <ActionIcon aria-label={view} onClick={() => useView.setState({ outline: !outline })}>
            {outline ? <IconSitemap size={16} aria-hidden /> : <IconListTree size={16} aria-hidden />}
          </ActionIcon>
        </Tooltip>
      )}
      {readOnly ? null : <FindingsCount />}
      <MoreMenu />
      {narrow || readOnly ? null : <Button leftSection={<IconChecks size={16} aria-hidden />} loading={checking} onClick={run}>{t('editor.check')}</Button>}
      {may ? (
        <Button variant="filled" leftSection={<IconRocket size={16} aria-hidden />} onClick={() => useView.setState({ publishing: true })}>{t('editor.publish')}</Button>
      ) : null}
    </>
  );
}

/** The flow as a file, out and in. */
function MoreMenu() {
  const t = useT();
  const readOnly = useEditor((editor) => editor.readOnly);
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Tooltip label={t('editor.more')}>
          <ActionIcon aria-label={t('editor.more')}><IconFileExport size={16} aria-hidden /></ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconFileExport size={16} aria-hidden />} onClick={() => exportFlow(useEditor.getState().document)}>{t('editor.export')}</Menu.Item>
        {readOnly ? null : <Menu.Item leftSection={<IconFileImport size={16} aria-hidden />} onClick={() => useView.setState({ importing: true })}>{t('editor.import')}</Menu.Item>}
      </Menu.Dropdown>
    </Menu>
  );
}

function FindingsCount() {
  const t = useT();
  const findings = useFindings((state) => state.findings);
  const status = useFindings((state) => state.status);
  const errors = findings.filter(isError).length;
  const severity = errors > 0 ? 'error' : findings.length > 0 ? 'warning' : 'none';
  const Glyph = severity === 'error' ? IconAlertCircle : severity === 'warning' ? IconAlertTriangle : IconCircleCheck;
  const label = status === 'failed' ? t('editor.findings.failed') : t('editor.findings', { count: findings.length });
  const toggle = () => useView.setState(({ drawer }) => ({ drawer: drawer === 'problems' ? null : 'problems' }));
  return (
    <Tooltip label={label}>
      <Button variant="subtle" color="gray" aria-label={label} onClick={toggle}>
        <span className={classes.count} data-severity={severity}>
          <Glyph size={16} aria-hidden />
          {findings.length > 0 ? findings.length : null}
        </span>
      </Button>
    </Tooltip>
  );
}
