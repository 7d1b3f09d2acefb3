// Composition root; see docs/architecture.md.
int main() { return 0; }
