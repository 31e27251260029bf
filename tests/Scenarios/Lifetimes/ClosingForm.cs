namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies the calls and threads that close several objects in an order.</summary>
public enum ClosingForm
{
    /// <summary>Each Dispose returns before the next one is called.</summary>
    Dispose,

    /// <summary>Each DisposeAsync completes before the next one is called.</summary>
    DisposeAsync,

    /// <summary>DisposeAsync is called for all objects, and then all calls are awaited.</summary>
    Overlapping,

    /// <summary>One thread for each object calls Dispose.</summary>
    Threads,

    /// <summary>One callback calls Dispose for all objects.</summary>
    Callback,

    /// <summary>One callback calls Dispose for every second object, and other threads call DisposeAsync for the rest.</summary>
    CallbackAndThread,
}
