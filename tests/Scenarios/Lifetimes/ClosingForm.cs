namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies how several objects are closed in an order.</summary>
public enum ClosingForm
{
    /// <summary>Each Dispose returns before the next one is called.</summary>
    Dispose,

    /// <summary>Each DisposeAsync completes before the next one is called.</summary>
    DisposeAsync,

    /// <summary>All DisposeAsync are called, and then awaited.</summary>
    Overlapping,

    /// <summary>Dispose is called by one thread for each object.</summary>
    Threads,

    /// <summary>One callback calls all Dispose.</summary>
    Callback,

    /// <summary>One callback calls every other Dispose, and another thread calls the rest as DisposeAsync.</summary>
    CallbackAndThread,
}
