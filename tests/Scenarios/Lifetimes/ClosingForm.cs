namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies the methods and threads with which a test closes several objects.</summary>
public enum ClosingForm
{
    /// <summary>One thread calls Dispose for each object in order.</summary>
    Dispose,

    /// <summary>One thread calls DisposeAsync for each object in order, and waits until each call has completed.</summary>
    DisposeAsync,

    /// <summary>One thread calls DisposeAsync for all objects, and then waits for all calls.</summary>
    Overlapping,

    /// <summary>For each object, a separate thread calls Dispose.</summary>
    Threads,

    /// <summary>One callback calls Dispose for all objects.</summary>
    Callback,

    /// <summary>A callback calls Dispose for every second object, and other threads call DisposeAsync for the other objects.</summary>
    CallbackAndThread,
}
