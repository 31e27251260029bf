using System.Reflection;
using System.Runtime.Loader;

namespace Native.LibUsb.Interop;

/// <summary>
/// Runs actions when the load context of this assembly begins to unload. Each action removes a registration that would otherwise keep the assembly loaded, or
/// that would let native code call a function of the unloaded assembly. If the assembly cannot be unloaded, this class does nothing.
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

    /// <summary>Begins to watch the load context of this assembly. This method is called once, before any action is registered.</summary>
    /// <param name="assembly">This assembly, which is collectible.</param>
    public static void Watch(Assembly assembly)
    {
        // The load context can still unload: it refers to the delegate, but this class does not refer to the load context.
        if (AssemblyLoadContext.GetLoadContext(assembly) is { } loadContext)
            loadContext.Unloading += static _ => Begin();
    }

    /// <summary>Registers an action that runs when unloading begins.</summary>
    /// <param name="undo">The action, which may run at any time on the thread that unloads the load context.</param>
    /// <returns>
    /// False if unloading has already begun. In this case, the action never runs, so the caller must not make the registration that the action would remove.
    /// </returns>
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
