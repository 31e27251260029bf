namespace Native.LibUsb.Benchmarks.Running;

/// <summary>Fixes the number of threads in the thread pool, because starting or ending a thread during a measurement would allocate memory.</summary>
internal static class PoolThreads
{
    private const int Count = 2;

    public static void Fix()
    {
        ThreadPool.SetMinThreads(Count, 1);
        ThreadPool.SetMaxThreads(Count, 1);
    }
}
