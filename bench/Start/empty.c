/* Does nothing: what starting a program costs that is linked with the C library only. */
int main(void)
{
    return 0;
}
