from .checking import check_everything as check_everything
