using System.Reflection;
using System.Runtime.Loader;

namespace Native.LibUsb.Interop;

/// <summary>
/// Undoes what would keep this assembly loaded, or would be called after it is gone, when its load context begins to unload. Costs nothing
/// where the assembly cannot be unloaded.
/// </summary>
internal static class LoadContextUnloading
{
    private static readonly Lock s_lock = new();
    private static Action? s_undo;
    private static bool s_hasBegun;

    /// <summary>Gets whether unloading has begun.</summary>
    public static bool HasBegun
    {
        get
        {
            lock (s_lock)
                return s_hasBegun;
        }
    }

    /// <summary>Begins to watch the load context of this assembly. Called once, before anything is registered.</summary>
    /// <param name="assembly">This assembly, which is collectible.</param>
    public static void Watch(Assembly assembly)
    {
        // The load context holds the delegate, and nothing here holds the load context.
        if (AssemblyLoadContext.GetLoadContext(assembly) is { } loadContext)
            loadContext.Unloading += static _ => Begin();
    }

    /// <summary>Has an action run when unloading begins.</summary>
    /// <param name="undo">The action; it may run at any time, on the thread that unloads.</param>
    /// <returns>False if unloading has begun: the caller must not do what it would have to undo.</returns>
    public static bool TryRegister(Action undo)
    {
        lock (s_lock)
        {
            if (s_hasBegun)
                return false;
            s_undo += undo;
            return true;
        }
    }

    private static void Begin()
    {
        Action? undo;
        lock (s_lock)
        {
            s_hasBegun = true;
            undo = s_undo;
            s_undo = null;
        }

        undo?.Invoke();
    }
}
