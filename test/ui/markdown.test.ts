/** What people write in notes is shown to others: nothing of it may run, load or lead astray. */
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, test } from 'vitest';
import MarkdownBody from '../../components/markdown/markdown-body.tsx';
import { SharedPage } from '../../components/share/shared-context.tsx';

const render = (text: string) => renderToStaticMarkup(createElement(MarkdownBody, { text }));

describe('notes', () => {
  test.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<a href="javascript:alert(1)">x</a>',
    '<iframe src="https://evil.example"></iframe>',
    '<svg onload=alert(1)>',
    '<style>body{display:none}</style>',
    'text <b onclick="alert(1)">bold</b> text',
  ])('show HTML as text: %s', (text) => {
    const html = render(text);
    expect(html).not.toMatch(/<(script|img|iframe|svg|style|b)\b/i);
    expect(html).not.toMatch(/<a [^>]*javascript:/i);
    expect(html).toContain('&lt;');
  });

  test.each([
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](data:text/html,<script>alert(1)</script>)',
    '[x](vbscript:msgbox(1))',
    '[x](&#106;avascript:alert(1))',
    '![x](javascript:alert(1))',
  ])('drop addresses that are no pages: %s', (text) => {
    expect(render(text)).not.toMatch(/href="(?!https?:|mailto:|#|\/)[^"]/);
    expect(render(text)).not.toMatch(/(javascript|vbscript|data):/i);
  });

  test('load no image: it is a link with its description', () => {
    const html = render('![the loss](https://elsewhere.example/loss.png) ![](//elsewhere.example/x.png)');
    expect(html).not.toContain('<img');
    expect(html).toMatch(/<a href="https:\/\/elsewhere.example\/loss.png"[^>]*>Image: the loss<\/a>/);
  });

  test('lead out in a new tab that knows nothing of this one', () => {
    const html = render('[paper](https://arxiv.org/abs/2009.08453) and https://example.org');
    expect(html.match(/<a /g)).toHaveLength(2);
    expect(html.match(/target="_blank" rel="noopener noreferrer nofollow"/g)).toHaveLength(2);
  });

  test('lead to pages of the hub for members, and nowhere on a share link’s page', () => {
    const text = '[the other study](/studies/stu_1)';
    expect(render(text)).toContain('href="/studies/stu_1"');
    const shared = renderToStaticMarkup(createElement(SharedPage, null, createElement(MarkdownBody, { text })));
    expect(shared).toContain('the other study');
    expect(shared).not.toContain('href');
  });

  test('have tables, lists with boxes, code and headings below the page’s own', () => {
    const html = render('# Plan\n\n- [x] done\n- [ ] open\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n`code`');
    expect(html).toMatch(/<h3[^>]*>Plan<\/h3>/);
    expect(html).toMatch(/<input[^>]*checked/);
    expect(html).toMatch(/<td>1<\/td>/);
    expect(html).toMatch(/<code[^>]*>code<\/code>/);
    expect(html).not.toContain('<h1');
  });
});
