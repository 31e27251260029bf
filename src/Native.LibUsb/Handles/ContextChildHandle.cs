using System.Runtime.InteropServices;

namespace Native.LibUsb;

/// <summary>Represents a native object that must be released before its context.</summary>
internal abstract class ContextChildHandle : SafeHandle, IOwnedHandle
{
    private readonly ContextHandle _context;

    protected ContextChildHandle(ContextHandle context)
        : base(0, ownsHandle: true)
    {
        HandleReference.Add(context); // throws if the context is released
        _context = context;
    }

    public sealed override bool IsInvalid => handle == 0;

    /// <inheritdoc/>
    public abstract ObjectDisposedException DisposedFailure();

    /// <summary>
    /// Releases the reference to the context. If this handle never received a native object, the owner must call this method, because the runtime does not call
    /// ReleaseHandle for an invalid handle.
    /// </summary>
    public void Abandon()
    {
        SetHandleAsInvalid();
        _context.DangerousRelease();
    }

    protected sealed override bool ReleaseHandle()
    {
        if (!MayReleaseInCallback && CallbackScope.IsInside(_context))
            _context.Deferred.AddRelease(Release);
        else
            Release();
        return true;
    }

    /// <summary>
    /// Gets whether a callback of the context may release the native object. If the value is false and a callback released the object, libusb would deadlock.
    /// </summary>
    protected virtual bool MayReleaseInCallback => true;

    protected abstract void ReleaseChild();

    private void Release()
    {
        ReleaseChild();
        _context.DangerousRelease();
    }
}
