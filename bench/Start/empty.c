/* This program does nothing. The cost of its start is the smallest cost of a program that is linked with the C library. */
int main(void)
{
    return 0;
}
