"""The signing agent: a program on the signer's own computer that signs with a key on a USB token (PKCS#11).

It listens on 127.0.0.1 only and answers the pages of one office only. What is to be signed, and the check code, it shows on its own page;
the PIN is typed there and goes to the token, never to the server. ``python -m signing.agent`` or ``motcua agent`` starts it.

The parts: ``device`` reads the token's certificates · ``contents`` says what a key may sign · ``approvals`` is what waits for its owner ·
``door`` is the HTTP side · ``page`` what the owner sees.
"""
