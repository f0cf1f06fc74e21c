import { Button, Modal, Textarea } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useT } from '~/app/messages';
import classes from './ConfirmDialog.module.css';
import { ProblemText } from './ProblemText';

interface Props {
  opened: boolean;
  title: string;
  /** What will happen, in one or two sentences. */
  children: ReactNode;
  confirm: string;
  danger?: boolean;
  /** Asks why; `required` holds the button back until something is said. */
  reason?: 'required' | 'optional';
  busy?: boolean;
  error?: unknown;
  onConfirm: (reason: string) => void;
  onClose: () => void;
}

/** Asks before something that cannot be taken back. */
export function ConfirmDialog(props: Props) {
  const t = useT();
  const [why, setWhy] = useState('');
  const close = () => {
    setWhy('');
    props.onClose();
  };
  const missing = props.reason === 'required' && why.trim() === '';
  return (
    <Modal opened={props.opened} onClose={close} title={props.title} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <div className={classes.body}>
        <div className={classes.text}>{props.children}</div>
        {props.reason ? (
          <Textarea
            data-autofocus
            label={props.reason === 'required' ? t('app.reason') : t('app.reason_optional')}
            autosize
            minRows={2}
            maxLength={2000}
            value={why}
            onChange={(event) => setWhy(event.currentTarget.value)}
          />
        ) : null}
        <ProblemText error={props.error} />
        <div className={classes.actions}>
          <Button onClick={close}>{t('app.back')}</Button>
          <Button
            variant="filled"
            color={props.danger ? 'danger' : 'accent'}
            loading={props.busy}
            disabled={missing}
            onClick={() => props.onConfirm(why.trim())}
          >
            {props.confirm}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
