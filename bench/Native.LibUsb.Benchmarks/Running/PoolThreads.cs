namespace Native.LibUsb.Benchmarks.Running;

/// <summary>Represents a thread that the pool starts or ends by its own judgement allocates, and that is not what is measured: their number is fixed.</summary>
internal static class PoolThreads
{
    private const int Count = 2;

    public static void Fix()
    {
        ThreadPool.SetMinThreads(Count, 1);
        ThreadPool.SetMaxThreads(Count, 1);
    }
}
